"""What an answer is owed to: places, channels, and simple changes of the picture."""
