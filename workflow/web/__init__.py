"""`wf serve`: pages for a browser and an API for a bot, on the library and the inbox."""
