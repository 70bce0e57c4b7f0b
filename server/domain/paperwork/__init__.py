"""Which moves of a step give which paper, what that paper says, and the event that asks for it."""
