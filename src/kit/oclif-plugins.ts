/** Whether a plugin is one of those that oclif itself provides. */
export function isOclifs(plugin: string): boolean {
  return plugin.startsWith('@oclif/');
}
