"""The service's face on HTTP: routes translate, call one service, and render."""
