"""Technologies behind the ports, one each."""
