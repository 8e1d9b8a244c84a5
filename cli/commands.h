/* Subcommands of maille, one file each; cli/main.c is the table. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* argv[0] is the subcommand's name; each returns the exit status of docs/CLI.md. */
int cli_network(int argc, char **argv);
int cli_keygen(int argc, char **argv);
int cli_catalogue(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_schema(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_list(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_resume(int argc, char **argv);
int cli_cancel(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_bundle(int argc, char **argv);
int cli_audit(int argc, char **argv);
int cli_officer(int argc, char **argv);
int cli_web(int argc, char **argv);
int cli_sandbox(int argc, char **argv);
int cli_sandbox_web(int argc, char **argv); /* a subcommand of it */

#endif
