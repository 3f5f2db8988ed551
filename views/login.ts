import { html, type Html } from './html.ts';
import { page, type AssetPaths } from './layout.ts';

/** Where somebody signs in who has a token. */
export const loginPage = (of: {
  /** Where to go on to: a path of ours. */
  readonly next: string;
  /** What was wrong with the last try; null for none. */
  readonly wrong: string | null;
  readonly assets: AssetPaths;
}): Html =>
  page({
    title: 'Sign in',
    section: null,
    assets: of.assets,
    now: null,
    cost: null,
    polling: null,
    visitor: null,
    bare: true,
    body: html`<section class="login">
      <h1>Sign in</h1>
      <form method="post" action="/login">
        <input type="hidden" name="next" value="${of.next}">
        <p class="field"><label for="token">Token</label>
          <input id="token" name="token" type="password" required autofocus
            autocomplete="current-password" spellcheck="false"
            aria-describedby="token-help${of.wrong !== null && ' token-wrong'}"></p>
        ${of.wrong !== null && html`<p id="token-wrong" class="bad" role="alert">${of.wrong}</p>`}
        <p><button class="main">Sign in</button></p>
      </form>
      <p id="token-help"><small>Whoever runs the service makes one, on its machine or wherever its
        store can be reached:
        <code>npm run -s tokens -- add your-name <span>--role viewer</span></code></small></p>
    </section>`,
  });
