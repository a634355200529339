"""A deck of slides for each lesson, made of the lesson's own notebook by rule."""
