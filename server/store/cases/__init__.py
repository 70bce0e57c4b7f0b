"""Cases in the store, and what people bring for them: documents, the group commit of new ones, drafts, materials."""
