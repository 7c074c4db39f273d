"""What a sound is like, where its beat is, and the one tempo of the show."""
