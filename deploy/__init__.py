"""Everything that runs Trustfold somewhere. Nothing here holds a rule of the product."""
