"""What a data set lies in: Delta tables, readings that replace each other, lasting silences."""
