"""The rules of visits: pure."""
