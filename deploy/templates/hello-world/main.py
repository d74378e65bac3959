from stalker_sdk import log_info, params

log_info(f"{params.string('greeting', 'Hello')}, world!")
