"""What about somebody's visits asks for a supervisor's look: computed from the events, never an accusation."""
