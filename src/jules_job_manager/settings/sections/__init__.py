"""The sections of the settings, by what they are about; `settings.model` joins them."""
