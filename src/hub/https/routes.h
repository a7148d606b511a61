// Handlers by area; the table that names them is in routes.cc.
#pragma once

#include "call.h"

namespace picket::hub {

using CallAnswer = boost::asio::awaitable<http::Response>;

// telemetry_routes.cc
CallAnswer send_message(Call& call);
// command_routes.cc
CallAnswer receive_command(Call& call);
CallAnswer remove_command(Call& call);
CallAnswer abandon_command(Call& call);
// upload_routes.cc
CallAnswer open_upload(Call& call);
CallAnswer close_upload(Call& call);
// provisioning_routes.cc
CallAnswer register_device(Call& call);
CallAnswer get_registration(Call& call);
CallAnswer call_provisioning_service(Call& call);
// registry_routes.cc
CallAnswer list_devices(Call& call);
CallAnswer get_device(Call& call);
CallAnswer put_device(Call& call);
CallAnswer delete_device(Call& call);
CallAnswer list_modules(Call& call);
CallAnswer get_module(Call& call);
CallAnswer put_module(Call& call);
CallAnswer delete_module(Call& call);
CallAnswer bulk_devices(Call& call);
CallAnswer get_device_statistics(Call& call);
CallAnswer get_service_statistics(Call& call);
// registry_job_routes.cc
CallAnswer create_registry_job(Call& call);
CallAnswer list_registry_jobs(Call& call);
CallAnswer get_registry_job(Call& call);
CallAnswer cancel_registry_job(Call& call);
// twin_routes.cc
CallAnswer get_twin(Call& call);
CallAnswer patch_twin(Call& call);
CallAnswer replace_twin(Call& call);
// query_routes.cc
CallAnswer query_devices(Call& call);
// job_routes.cc
CallAnswer schedule_job(Call& call);
CallAnswer get_job(Call& call);
CallAnswer cancel_job(Call& call);
CallAnswer list_jobs(Call& call);
// configuration_routes.cc
CallAnswer list_configurations(Call& call);
CallAnswer get_configuration(Call& call);
CallAnswer put_configuration(Call& call);
CallAnswer delete_configuration(Call& call);
CallAnswer test_configuration_queries(Call& call);
CallAnswer apply_configuration_content(Call& call);
// method_routes.cc
CallAnswer invoke_method(Call& call);
// feedback_routes.cc
CallAnswer purge_commands(Call& call);
CallAnswer receive_feedback(Call& call);
CallAnswer remove_feedback(Call& call);
CallAnswer abandon_feedback(Call& call);
CallAnswer receive_file_notification(Call& call);
CallAnswer remove_file_notification(Call& call);
CallAnswer abandon_file_notification(Call& call);
// websocket_route.cc
CallAnswer open_websocket(Call& call);

}  // namespace picket::hub
