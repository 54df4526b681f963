"""What every process of this system is made of, put together in one place."""
