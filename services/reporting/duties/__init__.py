"""Who is due to be visited: derived by date from policy, risk, visits and the file; never stored as an event."""
