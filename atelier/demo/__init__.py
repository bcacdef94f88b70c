"""`atelier demo`: the whole path, from a team file to a prediction, on the embedded AWS."""
