"""The demo: a drawn character in many poses against other pictures, and the whole loop on them."""
