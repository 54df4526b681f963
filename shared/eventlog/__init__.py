"""The append-only, hash-chained log of a service: records, store, relay, verification."""
