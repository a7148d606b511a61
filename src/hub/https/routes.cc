#include "routes.h"

#include <array>

#include "batch_json.h"
#include "hub/hub_settings.h"

namespace picket::hub {
namespace {

constexpr auto kDevice = Access::device;
constexpr auto kService = Access::service;
constexpr std::size_t kSmallBytesMax = 16U << 10;
constexpr std::size_t kEnrollmentsBytesMax = 16 * kProvisioningBodyBytesMax;

constexpr std::array kRoutes = {
    CallRoute{"GET", "/$iothub/websocket", Access::open, 0, open_websocket, 0},
    // "wss://gateway:port:443/..." is how the Node SDK spells an address behind a gateway with a port (spec 2.1).
    CallRoute{"GET", "/{port}/$iothub/websocket", Access::open, 0, open_websocket, 0},
    // The Java SDK names no path for provisioning, and its MQTT library then takes its own.
    CallRoute{"GET", "/mqtt", Access::open, 0, open_websocket, 0},

    // Devices (spec 1.2).
    CallRoute{"POST", "/devices/{d}/messages/events", kDevice, 0, send_message, kBatchBytesMax},
    CallRoute{"POST", "/devices/{d}/modules/{m}/messages/events", kDevice, 0, send_message, kBatchBytesMax},
    CallRoute{"GET", "/devices/{d}/messages/devicebound", kDevice, 0, receive_command, 0},
    CallRoute{"DELETE", "/devices/{d}/messages/devicebound/{lock}", kDevice, 0, remove_command, 0},
    CallRoute{"POST", "/devices/{d}/messages/devicebound/{lock}/abandon", kDevice, 0, abandon_command, 0},
    CallRoute{"POST", "/devices/{d}/files", kDevice, 0, open_upload, kSmallBytesMax, Meter::uploads},
    CallRoute{"POST", "/devices/{d}/files/notifications", kDevice, 0, close_upload, kSmallBytesMax},
    CallRoute{"POST", "/devices/{d}/files/notifications/{c}", kDevice, 0, close_upload, kSmallBytesMax},

    // Identities (spec 1.4).
    CallRoute{"GET", "/devices", kService, kRegistryRead, list_devices, 0, Meter::registry, Operation::registry_read},
    CallRoute{"POST", "/devices", kService, kRegistryWrite, bulk_devices, http::kBodyBytesMax, Meter::registry},
    CallRoute{"GET", "/devices/{d}", kService, kRegistryRead, get_device, 0, Meter::registry, Operation::registry_read},
    CallRoute{"PUT", "/devices/{d}", kService, kRegistryWrite, put_device, http::kBodyBytesMax, Meter::registry},
    CallRoute{"DELETE", "/devices/{d}", kService, kRegistryWrite, delete_device, http::kBodyBytesMax, Meter::registry},
    CallRoute{"GET", "/devices/{d}/modules", kService, kRegistryRead, list_modules, 0, Meter::registry,
              Operation::registry_read},
    CallRoute{"GET", "/devices/{d}/modules/{m}", kService, kRegistryRead, get_module, 0, Meter::registry,
              Operation::registry_read},
    CallRoute{"PUT", "/devices/{d}/modules/{m}", kService, kRegistryWrite, put_module, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"DELETE", "/devices/{d}/modules/{m}", kService, kRegistryWrite, delete_module, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"POST", "/devices/query", kService, kServiceConnect, query_devices, http::kBodyBytesMax, Meter::queries,
              Operation::query},
    CallRoute{"GET", "/statistics/devices", kService, kRegistryRead, get_device_statistics, 0, Meter::registry,
              Operation::registry_read},
    CallRoute{"GET", "/statistics/service", kService, kRegistryRead, get_service_statistics, 0, Meter::registry,
              Operation::registry_read},

    // Twins, methods, messages to devices.
    CallRoute{"GET", "/twins/{d}", kService, kServiceConnect, get_twin, 0, Meter::twin_reads, Operation::twin_read},
    CallRoute{"PATCH", "/twins/{d}", kService, kServiceConnect, patch_twin, http::kBodyBytesMax, Meter::twin_updates,
              Operation::twin_update},
    CallRoute{"PUT", "/twins/{d}", kService, kServiceConnect, replace_twin, http::kBodyBytesMax, Meter::twin_updates,
              Operation::twin_update},
    CallRoute{"GET", "/twins/{d}/modules/{m}", kService, kServiceConnect, get_twin, 0, Meter::twin_reads,
              Operation::twin_read},
    CallRoute{"PATCH", "/twins/{d}/modules/{m}", kService, kServiceConnect, patch_twin, http::kBodyBytesMax,
              Meter::twin_updates, Operation::twin_update},
    CallRoute{"PUT", "/twins/{d}/modules/{m}", kService, kServiceConnect, replace_twin, http::kBodyBytesMax,
              Meter::twin_updates, Operation::twin_update},
    CallRoute{"POST", "/twins/{d}/methods", kService, kServiceConnect, invoke_method},
    CallRoute{"POST", "/twins/{d}/modules/{m}/methods", kService, kServiceConnect, invoke_method},
    CallRoute{"DELETE", "/devices/{d}/commands", kService, kServiceConnect, purge_commands, http::kBodyBytesMax,
              Meter::c2d_messages},
    CallRoute{"GET", "/messages/serviceBound/feedback", kService, kServiceConnect, receive_feedback, 0},
    CallRoute{"DELETE", "/messages/serviceBound/feedback/{lock}", kService, kServiceConnect, remove_feedback},
    CallRoute{"POST", "/messages/serviceBound/feedback/{lock}/abandon", kService, kServiceConnect, abandon_feedback},
    CallRoute{"GET", "/messages/serviceBound/filenotifications", kService, kServiceConnect, receive_file_notification,
              0},
    CallRoute{"DELETE", "/messages/serviceBound/filenotifications/{lock}", kService, kServiceConnect,
              remove_file_notification},
    CallRoute{"POST", "/messages/serviceBound/filenotifications/{lock}/abandon", kService, kServiceConnect,
              abandon_file_notification},

    // Jobs and configurations.
    CallRoute{"GET", "/jobs/v2/query", kService, kServiceConnect, list_jobs, 0, Meter::registry},
    CallRoute{"PUT", "/jobs/v2/{id}", kService, kServiceConnect, schedule_job, http::kBodyBytesMax, Meter::registry},
    CallRoute{"GET", "/jobs/v2/{id}", kService, kServiceConnect, get_job, 0, Meter::registry},
    CallRoute{"POST", "/jobs/v2/{id}/cancel", kService, kServiceConnect, cancel_job, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"POST", "/jobs/create", kService, kRegistryWrite, create_registry_job, kSmallBytesMax, Meter::registry},
    CallRoute{"GET", "/jobs", kService, kRegistryRead, list_registry_jobs, 0, Meter::registry},
    CallRoute{"GET", "/jobs/{id}", kService, kRegistryRead, get_registry_job, 0, Meter::registry},
    CallRoute{"DELETE", "/jobs/{id}", kService, kRegistryWrite, cancel_registry_job, 0, Meter::registry},
    CallRoute{"GET", "/configurations", kService, kRegistryRead, list_configurations, 0, Meter::registry},
    CallRoute{"POST", "/configurations/testQueries", kService, kRegistryRead, test_configuration_queries},
    CallRoute{"GET", "/configurations/{id}", kService, kRegistryRead, get_configuration, 0, Meter::registry},
    CallRoute{"PUT", "/configurations/{id}", kService, kRegistryWrite, put_configuration, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"DELETE", "/configurations/{id}", kService, kRegistryWrite, delete_configuration, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"POST", "/devices/{d}/applyConfigurationContent", kService, kRegistryWrite, apply_configuration_content,
              http::kBodyBytesMax, Meter::twin_updates},

    // Provisioning (spec 1.7): the service API, then devices.
    CallRoute{"GET", "/enrollments/*", kService, kRegistryRead, call_provisioning_service, 0, Meter::registry},
    CallRoute{"PUT", "/enrollments/*", kService, kRegistryWrite, call_provisioning_service, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"DELETE", "/enrollments/*", kService, kRegistryWrite, call_provisioning_service, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"POST", "/enrollments/*", kService, kRegistryWrite, call_provisioning_service, kEnrollmentsBytesMax,
              Meter::registry},
    CallRoute{"GET", "/enrollmentGroups/*", kService, kRegistryRead, call_provisioning_service, 0, Meter::registry},
    CallRoute{"PUT", "/enrollmentGroups/*", kService, kRegistryWrite, call_provisioning_service, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"DELETE", "/enrollmentGroups/*", kService, kRegistryWrite, call_provisioning_service, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"POST", "/enrollmentGroups/*", kService, kRegistryWrite, call_provisioning_service, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"GET", "/registrations/*", kService, kRegistryRead, call_provisioning_service, 0, Meter::registry},
    CallRoute{"DELETE", "/registrations/*", kService, kRegistryWrite, call_provisioning_service, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"POST", "/registrations/*", kService, kRegistryWrite, call_provisioning_service, http::kBodyBytesMax,
              Meter::registry},
    CallRoute{"PUT", "/{scope}/registrations/{r}/register", Access::provisioning, 0, register_device,
              kProvisioningBodyBytesMax},
    CallRoute{"POST", "/{scope}/registrations/{r}/register", Access::provisioning, 0, register_device,
              kProvisioningBodyBytesMax},
    // The Node SDK sends "{}" with it.
    CallRoute{"GET", "/{scope}/registrations/{r}/operations/{o}", Access::provisioning, 0, get_registration,
              kProvisioningBodyBytesMax},
};

}  // namespace

std::span<const CallRoute> call_routes() { return kRoutes; }

}  // namespace picket::hub
