"""Where pictures come from: files, members of a tar. `reading` gets bytes, whatever it is that holds them."""
