// All handlers, by what they are about. Paths and roles: routes() in router.cc.
#pragma once

#include "../router.h"

namespace picket::api {

using Answer = std::expected<Response, ApiError>;

// session_routes.cc
Answer sign_in(Call& call);
Answer sign_out(Call& call);
Answer get_me(Call& call);
Answer change_own_secret(Call& call);
// overview_routes.cc
Answer get_overview(Call& call);
Answer get_status(Call& call);
Answer stream_events(Call& call);
// device_routes.cc
Answer list_devices(Call& call);
Answer create_device(Call& call);
Answer get_device(Call& call);
Answer update_device(Call& call);
Answer delete_device(Call& call);
Answer create_module(Call& call);
Answer delete_module(Call& call);
Answer get_connection_string(Call& call);
// twin_routes.cc
Answer get_twin(Call& call);
Answer patch_twin(Call& call);
Answer call_method(Call& call);
Answer send_message(Call& call);
Answer purge_messages(Call& call);
// hub_routes.cc
Answer list_hubs(Call& call);
Answer create_hub(Call& call);
Answer get_hub(Call& call);
Answer update_hub(Call& call);
Answer delete_hub(Call& call);
Answer get_hub_settings(Call& call);
Answer put_hub_settings(Call& call);
Answer list_policies(Call& call);
Answer create_policy(Call& call);
Answer delete_policy(Call& call);
Answer rotate_policy(Call& call);
Answer get_policy_connection_string(Call& call);
Answer list_certificates(Call& call);
Answer add_certificate(Call& call);
Answer new_certificate_code(Call& call);
Answer verify_certificate(Call& call);
Answer delete_certificate(Call& call);
Answer list_revocations(Call& call);
Answer revoke_certificate(Call& call);
Answer restore_certificate(Call& call);
// software_routes.cc
Answer list_software(Call& call);
Answer list_device_software(Call& call);
Answer get_device_sbom(Call& call);
Answer put_device_document(Call& call);
Answer delete_device_document(Call& call);
// vulnerability_routes.cc
Answer list_vulnerabilities(Call& call);
Answer get_vulnerability(Call& call);
Answer list_device_vulnerabilities(Call& call);
Answer explain_device_vulnerability(Call& call);
Answer list_advisory_feeds(Call& call);
Answer put_advisory_feed(Call& call);
Answer delete_advisory_feed(Call& call);
Answer refresh_advisory_feed(Call& call);
Answer put_advisory_feed_content(Call& call);
Answer export_statements(Call& call);
Answer list_vex(Call& call);
Answer get_vex(Call& call);
Answer put_vex(Call& call);
Answer delete_vex(Call& call);
// diagnostics_routes.cc
Answer export_diagnostics(Call& call);
// posture_routes.cc
Answer get_posture(Call& call);
Answer list_device_scores(Call& call);
Answer get_device_score(Call& call);
Answer list_exemptions(Call& call);
Answer create_exemption(Call& call);
Answer delete_exemption(Call& call);
// rule_routes.cc
Answer list_rules(Call& call);
Answer get_rule(Call& call);
Answer set_rule(Call& call);
Answer get_rule_file(Call& call);
Answer put_rule_file(Call& call);
Answer delete_rule_file(Call& call);
// response_routes.cc
Answer get_response_key(Call& call);
Answer respond(Call& call);
// indicator_routes.cc
Answer list_feeds(Call& call);
Answer get_feed(Call& call);
Answer put_feed(Call& call);
Answer delete_feed(Call& call);
Answer refresh_feed(Call& call);
Answer put_feed_content(Call& call);
Answer get_indicator_set(Call& call);
Answer look_up_indicator(Call& call);
Answer list_indicators(Call& call);
Answer add_indicator(Call& call);
Answer delete_indicator(Call& call);
Answer list_retro_hunts(Call& call);
Answer start_retro_hunt(Call& call);
// intelligence_routes.cc
Answer list_intelligence(Call& call);
Answer put_intelligence(Call& call);
// security_routes.cc
Answer list_recommendations(Call& call);
Answer list_recommendation_types(Call& call);
Answer set_recommendation_type(Call& call);
Answer list_security_groups(Call& call);
Answer get_security_group(Call& call);
Answer put_security_group(Call& call);
Answer delete_security_group(Call& call);
Answer put_deployment(Call& call);
// routing_routes.cc
Answer get_routing(Call& call);
Answer put_routing(Call& call);
Answer test_routing(Call& call);
Answer get_provisioning(Call& call);
// workspace_routes.cc
Answer list_workspace_tables(Call& call);
Answer put_table_retention(Call& call);
Answer delete_table_retention(Call& call);
// alert_routes.cc
Answer list_alerts(Call& call);
Answer get_alert(Call& call);
Answer get_alert_events(Call& call);
Answer triage_alert(Call& call);
Answer undo_alert(Call& call);
// alert_group_routes.cc
Answer list_alert_groups(Call& call);
Answer triage_alert_group(Call& call);
/// `type` in any spelling; what comes to a dismissed group later is dismissed too. Audited.
Answer dismiss_group(const Call& call, const std::string& type, Timestamp day, const std::string& status,
                     const std::string& comment);
// incident_routes.cc
Answer list_incidents(Call& call);
Answer get_incident(Call& call);
Answer get_incident_events(Call& call);
Answer triage_incident(Call& call);
// suppression_routes.cc
Answer list_suppressions(Call& call);
Answer get_suppression(Call& call);
Answer put_suppression(Call& call);
Answer delete_suppression(Call& call);
// query_routes.cc
Answer run_query(Call& call);
Answer export_query(Call& call);
Answer list_queries(Call& call);
Answer cancel_query(Call& call);
Answer get_schema(Call& call);
// saved_routes.cc
Answer list_saved_queries(Call& call);
Answer get_saved_query(Call& call);
Answer put_saved_query(Call& call);
Answer delete_saved_query(Call& call);
Answer list_functions(Call& call);
Answer get_function(Call& call);
Answer put_function(Call& call);
Answer delete_function(Call& call);
// analytics_routes.cc
Answer list_analytics_rules(Call& call);
Answer get_analytics_rule(Call& call);
Answer import_analytics_rules(Call& call);
Answer set_analytics_rule(Call& call);
Answer delete_analytics_rule(Call& call);
Answer try_analytics_rule(Call& call);
// workbook_routes.cc
Answer list_workbooks(Call& call);
Answer import_workbooks(Call& call);
Answer check_workbooks(Call& call);
Answer get_workbook(Call& call);
Answer put_workbook(Call& call);
Answer delete_workbook(Call& call);
Answer run_workbook(Call& call);
// user_routes.cc
Answer list_users(Call& call);
Answer create_user(Call& call);
Answer delete_user(Call& call);
Answer list_audit(Call& call);

}  // namespace picket::api
