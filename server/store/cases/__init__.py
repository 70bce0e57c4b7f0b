"""Cases in the store, and what people bring for them: documents, drafts, materials."""
