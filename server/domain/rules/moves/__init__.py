"""The moves by family: each act with its rule, its states, its event, and what that leaves in the step."""
