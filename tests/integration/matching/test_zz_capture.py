import json, pytest
from tests.integration.matching.conftest import *
from tests.integration.matching.test_pairs import trust
pytestmark = pytest.mark.stack
async def test_cap(matching):
    out=[]
    await matching.hears(mentor("ann"), mentee("ben"), mentee("cara", languages=["fi"]))
    m=await matching.match(); out.append(m)
    p=f"/v1/pairs/{m['proposed'][0]['pair_id']}"
    for w in ("ann","ben"):
        out.append((await matching.post(p+"/accept",as_=w)).json())
    await matching.post(p+"/start",as_="ann")
    await matching.hears(trust(p,1,"watch","R"))
    out.append((await matching.get(p,"ann","participant")).json())
    out.append((await matching.get(p)).json())
    out.append((await matching.get("/v1/people?limit=1")).json())
    out.append((await matching.post(p+"/decline",as_="ben")).json())
    out.append((await matching.post(p+"/end",{"reason":"So long"},as_="ben")).json())
    out.append((await matching.http.get(p)).json())
    open("/tmp/mcap/out.json","w").write("\n".join(json.dumps(o) for o in out))
