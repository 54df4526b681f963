"""Every event of every service, once: the only place where the services meet."""
