"""Methods of measurement: numbers in, numbers out. They know no table, no file and no definition, so anything may ask."""
