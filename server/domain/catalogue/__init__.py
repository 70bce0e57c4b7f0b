"""What a nation publishes and provinces vary, and what follows from it for given answers: plan, form, days."""
