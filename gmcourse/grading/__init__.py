"""For instructors: assignments made of the course's own exercises, and the submissions graded without trust."""
