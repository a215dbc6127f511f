"""The routes: one module for each subject, each with a `router`; see `app.routers`."""
