"""Reading of documents: text to values with places, references, validity, and the two specifications."""
