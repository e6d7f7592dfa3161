"""BlazeFace: a detector of faces with six key points each."""
