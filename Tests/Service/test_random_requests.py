# SPDX-License-Identifier: Apache-2.0
"""Random requests to every route: whatever comes in, the answer is never a fault of ours.

The routes come from the coordinator itself (JSON Home, and Allow of each path), so a new one is met without a change here. A
failure prints the seed; MARTLET_RANDOM_SEED replays it, MARTLET_RANDOM_REQUESTS makes the run longer.
"""
import json
import os
import random
import re
import time
import unittest
import urllib.parse

from cloud import CloudTestCase

FIELDS = '''name description enabled domain_id parent_id is_domain tags options immutable password original_password email
default_project_id type url interface region_id region service_id endpoint_id blob user_id project_id policy_id roles id expires_at
unrestricted access_rules secret path method service impersonation trustor_user_id trustee_user_id allow_redelegation
redelegation_count remaining_uses default_limit resource_limit resource_name filters identity ldap driver methods token user domain
scope system all totp passcode parent_region_id multi_factor_auth_rules ignore_password_expiry access signature params headers verb
host tenant_id explicit_domain_id'''.split()
WRAPPERS = '''user project domain group role region service endpoint endpoint_group policy credential trust auth
application_credential limits registered_limits limit registered_limit config tags credentials'''.split()
QUERIES = '''name name__contains name__istartswith domain_id enabled limit marker parent_id is_domain tags not-tags-any user.id group.id
role.id scope.project.id scope.domain.id scope.system effective include_names include_subtree type user_id interface region_id
service_id password_expires_at parents_as_list subtree_as_ids sort_key nocatalog allow_expired since trustor_user_id'''.split()


class RandomRequests(CloudTestCase):
    def setUp(self):
        self.seed = int(os.environ.get('MARTLET_RANDOM_SEED') or time.time_ns() % 10 ** 9)
        self.random = random.Random(self.seed)
        self.ids = ['default', 'admin', 'RegionOne', 'x' * 300, '0' * 32, 'ü', '%', '..', ' ', "'", '{}', '\x00', '\n', '💥']

    def routes(self):
        home = self.cloud.get('/identity/v3', headers={'Accept': 'application/json-home'}).json['resources']
        places = {entry.get('href') or entry['href-template'] for entry in home.values()}
        found = []
        for place in sorted(places):
            path = '/identity/v3' + place
            allow = self.cloud.request('OPTIONS', re.sub(r'\{\w+\}', 'x', path)).headers['Allow']
            found += [(method, path) for method in re.split(r'\s*,\s*', allow or '') if method not in ('', 'OPTIONS')]
        return found

    def value(self, depth=0):
        pick = self.random.randrange(16 if depth < 3 else 13)
        if pick == 13:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        if pick > 13:
            return {self.random.choice(FIELDS + ['', 'ü']): self.value(depth + 1) for _ in range(self.random.randrange(5))}
        return self.random.choice([
            None, True, False, 0, -1, 2 ** 31, 2 ** 63, 10 ** 30, 1.5, -1e308, '', 'x', 'x' * 70, 'x' * 3000, 'ü\u202e💥', '\x00',
            '2030-01-01T00:00:00Z', '2000-13-45', self.random.choice(self.ids), self.random.choice(self.ids)])

    def body(self, path):
        if self.random.random() < 0.05:
            return self.random.choice([b'', b'{', b'[]', b'null', b'"x"', b'\xff\xfe', b'{"a":1,"a":2}', b'[' * 200, b'{"user":'])
        inner = {self.random.choice(FIELDS): self.value() for _ in range(self.random.randrange(8))}
        if self.random.random() < 0.6:
            inner.setdefault('name', f'n{self.random.randrange(10 ** 9)}')
        words = [w for w in path.split('/') if w and not w.startswith('{')]
        fitting = [w for w in WRAPPERS if words and words[-1].rstrip('s').startswith(w.rstrip('s'))]
        wrapper = self.random.choice(fitting if fitting and self.random.random() < 0.8 else WRAPPERS)
        if wrapper in ('limits', 'registered_limits') and self.random.random() < 0.8:
            inner = [inner]
        return json.dumps({wrapper: inner})

    def target(self, method, path):
        # The domain of the one who asks stays as it is: nothing could be asked after.
        ids = self.ids[1:] if method in ('PATCH', 'PUT', 'DELETE') else self.ids
        parts = [urllib.parse.quote(self.random.choice(ids), safe='') if part.startswith('{') else part
                 for part in path.split('/')]
        query = [(self.random.choice(QUERIES), str(self.value(3))) for _ in range(self.random.randrange(3))]
        return '/'.join(parts) + ('?' + urllib.parse.urlencode(query) if query else '')

    def learn(self, answer):
        """Ids of what these requests made (never of what the cloud came with), so that later ones meet real things."""
        if answer.status == 201 and len(self.ids) < 400:
            self.ids += re.findall(r'"id":"([^"]{1,64})"', answer.body.decode(errors='replace'))[:5]

    def test_no_request_makes_a_fault_of_ours(self):
        routes = self.routes()
        self.assertGreater(len(routes), 190, 'the routes were not found')
        token = self.cloud.token(scope=self.cloud.SYSTEM)
        count = int(os.environ.get('MARTLET_RANDOM_REQUESTS') or 4000)
        statuses = {}
        for number in range(count):
            method, path = routes[number % len(routes)] if number < 2 * len(routes) else self.random.choice(routes)
            if method == 'DELETE' and path.endswith('/auth/tokens'):
                continue
            target = self.target(method, path)
            body = self.body(path) if method in ('POST', 'PUT', 'PATCH') else None
            headers = {'X-Subject-Token': self.random.choice([token, 'x', ''])} if 'tokens' in path else {}
            answer = self.cloud.request(method, target, body, token=token, headers=headers)
            told = f'{method} {target} {body!r}: {answer} (seed {self.seed}, request {number})'
            self.assertLess(answer.status, 500, told)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if answer.status >= 400 and method != 'HEAD':
                error = answer.json['error']
                self.assertEqual(error['code'], answer.status, told)
                self.assertTrue(error['message'] and error['title'], told)
            self.learn(answer)
        self.assertGreater(statuses.get(201, 0) + statuses.get(200, 0), count / 50, f'too few requests fit: {statuses}')
        self.assertIn(400, statuses)
        self.assertIsNone(self.cloud.process.poll(), 'the coordinator lives')


if __name__ == '__main__':
    unittest.main()
