"""The course as a student opens it: what there is to read, and a copy of one's own to work in."""
