"""Pictures made by the net: what excites a unit most, and what is left of a picture by each layer."""
