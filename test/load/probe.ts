import { hold } from './holds.ts';

/*
 * Loaded into a server before anything of its own, and asked over the channel that a parent process
 * has with its child: what it holds.
 */

process.on('message', () => void hold().then((holds) => process.send?.(holds)));
// It must end as it would without anybody listening, and not outlive who has started it.
process.channel?.unref();
process.on('disconnect', () => process.exit());
