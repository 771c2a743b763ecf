"""The demo company: a seeded generator of seventy weeks of service data, with planted troubles and their answers."""
