"""Policies that authorities adopt: which one is in force where and when, and how a service looks it up."""
