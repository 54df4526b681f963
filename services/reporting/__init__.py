"""reporting: what supervision sees, and who has looked."""
