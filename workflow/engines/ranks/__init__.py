"""Several processes that train one net: started, watched and led from here, without PyTorch."""
