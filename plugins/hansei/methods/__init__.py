"""Methods of measurement: numbers in, numbers out. They know no table, file or definition, so anything may ask."""
