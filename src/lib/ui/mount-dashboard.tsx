import {type DashboardProps, DashboardView} from './dashboard-view.tsx';
import {type Mounted, mountView} from './mount.ts';

/** Mounts the dashboard on the alternate screen. */
export function mountDashboard({stdout, ...props}: DashboardProps & {readonly stdout: NodeJS.WriteStream}): Mounted {
  return mountView(<DashboardView {...props} />, {stdout, alternateScreen: true});
}
