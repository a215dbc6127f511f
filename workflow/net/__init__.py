"""The graph of a net: its layers, their connections, and filled-in values. Uses neither torch nor data."""
