"""Reviews: evidence in, documents out. Nothing here queries; everything is a pure function of the evidence."""
