import time, pytest
from services.matching.handlers import rankings as commands
from tests.integration.matching.conftest import mentor, mentee, START
from tests.integration.matching.test_asks import programme
from shared.postgres.tenancy import act_for_all
pytestmark = pytest.mark.stack
async def test_scale(matching):
    t=time.time()
    people=[mentor(f"m{n:05}", capacity=5, participation={"roles":["mentor"],"capacity":5,"offers":[f"g{n%40}",f"g{(n*7)%40}","x"]}) for n in range(2000)]+[mentee(f"n{n:05}", participation={"roles":["mentee"],"goals":[f"g{n%40}",f"g{(n*3)%40}"]}) for n in range(10000)]
    for i in range(0,len(people),1000): await matching.hears(*people[i:i+1000])
    print("intake 12k", time.time()-t)
    await programme(matching)
    t=time.time(); a=await matching.post("/v1/programmes/spring/rankings", role="manager"); print(a.status_code, time.time()-t)
    t=time.time(); print(await commands.prepare(matching.pool), "prepare", time.time()-t)
    rid=a.json()["ranking_id"]
    t=time.time(); r=await matching.get("/v1/me/ranking","n00005","participant"); print(r.status_code,len(r.json()["people"]),"mine",time.time()-t)
    t=time.time(); r=await matching.get("/v1/programmes/spring/wait","n00005","participant"); print(r.json(),"wait",time.time()-t)
    t=time.time(); r=await matching.get("/v1/programmes/spring/waiting"); print(r.json(),"waiting",time.time()-t)
    t=time.time(); r=await matching.post("/v1/programmes/spring/asks",{"mentor_id":"m00005"},as_="n00005"); print(r.status_code,"ask",time.time()-t)
    from shared.postgres.tenancy import reading_for
    from services.matching.queries import rankings, programmes
    await matching.post(f"/v1/rankings/{rid}/close", role="manager")
    from uuid import UUID
    async with reading_for(matching.pool,"acme") as conn:
        p=await programmes.find(conn,"acme","spring")
        t=time.time(); m=await rankings.ranks(conn,"acme",UUID(rid),p,matching.clock.now()); print(len(m),"ranks",time.time()-t)
