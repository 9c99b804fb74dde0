from twisted.application.service import ServiceMaker

gateway = ServiceMaker(
    name="gateway",
    module="gateway.service",
    description="Moves packets from serial devices to TCP, TLS and WebSocket clients and back.",
    tapname="gateway",
)
