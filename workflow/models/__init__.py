"""Load a snapshot with everything it needs: net, weights, preprocessing and labels."""
