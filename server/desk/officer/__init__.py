"""The use cases of officers: sign in, see the worklist and case files, act on steps."""
