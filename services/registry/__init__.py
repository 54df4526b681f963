"""registry: who and where. Divisions, postings, roles, households and children."""
