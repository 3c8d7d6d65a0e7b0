"""What goes over the wire, as pydantic models: the contract of the API."""
