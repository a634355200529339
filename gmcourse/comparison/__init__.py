"""All families on one data set: what is measured of each, and which differences may be told."""
