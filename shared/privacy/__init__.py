"""Keys per subject, sealing and opening of personal fields, masks for whatever is written for people to read."""
